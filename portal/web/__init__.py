"""Handle the HTTP edge: proxies, hosts, headers, CSRF, the session cookie, request bodies, errors, static files."""
