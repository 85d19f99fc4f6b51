-- Trips and takings by vendor, day, way and means of payment. `green_trips` is the rows of one file; each file has its
-- own rows here, so sum over them: SELECT ..., sum(trips), sum(total_amount) ... GROUP BY ...
SELECT
  vendor_id,
  CAST(pickup_at AS DATE) AS pickup_date,
  pickup_location_id,
  dropoff_location_id,
  payment_type,
  count(*) AS trips,
  CAST(sum(passenger_count) AS BIGINT) AS passengers,
  CAST(sum(trip_distance) AS DECIMAL(18, 2)) AS distance_miles,
  CAST(sum(fare_amount) AS DECIMAL(18, 2)) AS fare_amount,
  CAST(sum(tip_amount) AS DECIMAL(18, 2)) AS tip_amount,
  CAST(sum(tolls_amount) AS DECIMAL(18, 2)) AS tolls_amount,
  CAST(sum(total_amount) AS DECIMAL(18, 2)) AS total_amount
FROM green_trips
GROUP BY vendor_id, CAST(pickup_at AS DATE), pickup_location_id, dropoff_location_id, payment_type
