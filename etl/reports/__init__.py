"""prepared chunks + receipts → files: results.csv, issues.csv, summary.json."""
