"""What `manage_all.py` runs once the virtual environment stands: infrastructure, processes, and the commands of the platform."""
