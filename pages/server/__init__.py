"""What the server does around every page: headers, logs, start."""
