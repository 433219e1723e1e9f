"""Programs that install and check this project."""
