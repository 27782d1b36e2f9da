//! HTTP as clients meet it: connections, requests in every form, limits, refusals.

mod connections;
mod limits;
mod refusals;
mod requests;
mod routes;
