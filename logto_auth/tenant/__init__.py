"""What this site needs of its Logto tenant, compared with the tenant and applied to it."""
