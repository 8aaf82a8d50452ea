-- How many answers there are before {end}, and when the first and the last of them arrived.
SELECT count() AS answers, min(arrived_at) AS first, max(arrived_at) AS last
FROM (SELECT if(imported, occurred_at, received_at) AS arrived_at FROM feedback.events FINAL)
WHERE arrived_at < {end:DateTime64(3, 'UTC')}
