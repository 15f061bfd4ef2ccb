"""Unit → Receipt*: order, pace, retries and the decision to stop."""
