//! ISO 20022 messages: schemas interpreted as data, validation both ways, typed views.
