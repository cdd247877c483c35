"""What every claim is made with."""
