"""How long a job takes and in how much memory."""
