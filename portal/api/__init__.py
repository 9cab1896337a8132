"""The API for AI companies: machines ask, register, report and follow. See docs/api.md."""
