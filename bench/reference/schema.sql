-- The table and indexes of the original request for presence, and the little of profiles that it reads.
CREATE TABLE profiles (
    id SERIAL PRIMARY KEY,
    first_name VARCHAR(100) NOT NULL,
    last_name VARCHAR(100) NOT NULL,
    email VARCHAR(254) NOT NULL UNIQUE
);
CREATE TABLE user_page_presence (
    id SERIAL PRIMARY KEY,
    user_id INTEGER REFERENCES profiles(id),
    page_identifier VARCHAR(255),
    last_seen TIMESTAMP DEFAULT NOW(),
    UNIQUE(user_id, page_identifier)
);
CREATE INDEX idx_user_page_presence_last_seen ON user_page_presence (last_seen);
CREATE INDEX idx_user_page_presence_page ON user_page_presence (page_identifier);
CREATE INDEX idx_user_page_presence_user_page ON user_page_presence (user_id, page_identifier);
