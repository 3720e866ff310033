"""What tests share: small atlases, files, runs and servers, each with known content."""
