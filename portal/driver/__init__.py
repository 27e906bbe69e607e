"""Extensions of psycopg2: several hosts, classified errors, waiting under gevent."""
