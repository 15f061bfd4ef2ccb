"""START HERE. Who is told how a run ended.

    telling     what the end of a run means to each notifier of etl.toml, and what it was told before
    message     what is said: figures and codes alone, fit for a chat channel
    base        what a kind of notifier offers; KINDS is the shelf: one module a kind
    slack, webhook, email, heartbeat

A notification that fails is a note: it never fails a run, and never holds it up for more than `telling.MOST_SECONDS`.
"""
