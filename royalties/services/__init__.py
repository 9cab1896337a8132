"""What can be done about money. Keyword-only, one act each; the database has the last word."""
