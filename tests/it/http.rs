//! HTTP as clients meet it: connections, requests in every form, limits, refusals.

mod bodies;
mod connections;
mod limits;
mod refusals;
mod requests;
mod responses;
mod routes;
