"""What Logto's APIs below `/api` share: errors in Logto's JSON, schemas for input, and responses."""
