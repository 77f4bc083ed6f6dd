SELECT number, traveller, issuer_hotel, asset, period, issued, remaining, held, expired, gone, forgiven, usable_from,
    expires_on, restored_from FROM lots WHERE traveller = :traveller AND remaining > 0;
UPDATE lots SET remaining = remaining - :amount WHERE number =
    (SELECT number FROM lots WHERE traveller = :traveller AND remaining > 60 LIMIT 1);
