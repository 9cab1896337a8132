"""The admin of label staff and operators: what each may reach, and nothing that edits a row.

`site` says who enters, `base` what every page has in common, `doing` how something is done; the
pages themselves are named in `pages`, and loaded when the site is there (`portal.admin_config`).
"""
