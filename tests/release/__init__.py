"""What a release needs: the address of the repository, checks of the distributions and of the workflows."""
