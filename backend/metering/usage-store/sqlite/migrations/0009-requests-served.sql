-- What a gateway says it has served, and how much of that reached its plugin servers; only one process of it tells.
ALTER TABLE gateway_processes ADD COLUMN requests_served INTEGER;
ALTER TABLE gateway_processes ADD COLUMN log_entries INTEGER;
