"""What surrounds psycopg2: several hosts, errors, waiting under gevent."""
