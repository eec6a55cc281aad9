"""The database: the record of every video, its work and its timeline. Shared by web and worker."""
