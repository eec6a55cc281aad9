"""Pictures, previews and overlays that workers make."""
