"""Who may do what: one table, held against every command, HTTP operation and page that there is."""
