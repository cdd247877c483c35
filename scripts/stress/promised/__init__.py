"""What is promised, a file a subject: ``promises.py`` tries each."""
