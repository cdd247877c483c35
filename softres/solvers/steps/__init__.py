"""What several Newton methods take a step with."""
