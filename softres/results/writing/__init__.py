"""Tables, captions and the page of a sweep, as files."""
