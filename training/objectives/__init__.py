"""What is trained on, beside one task with its labels."""
