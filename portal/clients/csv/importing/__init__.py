"""Import client records from CSV files.

importer.py      check and write an import, all or nothing
existing.py      read the records that the files name
references.py    check what the rows name (pure)
value_checks.py  check values that no form accepts (pure)
plan.py          compare the files with the existing records (pure)
apply.py         write a plan, with one revision for each existing client
valuations.py    SQL for valuations in bulk
pending.py       keep the files that were uploaded in the browser, and the result
upload.py        preview and apply those files
changes.py       what an import changes, in words (pure)
"""
