"""What can be done. Each function is one act: keyword-only, `by=` who does it, all or nothing."""
