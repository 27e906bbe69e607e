"""Run the embedded PostgreSQL server of the demo, the tests and commands without `DATABASE_URL`."""
