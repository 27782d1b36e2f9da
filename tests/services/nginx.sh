#!/usr/bin/env bash
# nginx in the foreground as the server that guests call: HTTP/1.1 on 127.0.0.1:PORT, and HTTP/2 and HTTP/1.1 over TLS on
# 127.0.0.1:TLS_PORT with the certificates of certificates.sh.
#
#   tests/services/nginx.sh PORT FOLDER TLS_PORT CERTIFICATES
#
# /            200 and `METHOD URI PROTOCOL`
# /echo        the body of a POST or PUT, one line of up to 32 KiB, and the field X-Echo as it came
# /status/NNN  that status, of those below
# /connection  the connection's number
# /headers     X-Many twice, `one` and `two`
# /redirect    302 to /; /redirect/loop to itself; /redirect/same 307 to /, with the same method
# /files/NAME  a file of FOLDER/files; /slow/NAME the same at 1 KiB a second
set -euo pipefail
port=$1 folder=$2 tls_port=$3 certificates=$4
mkdir -p "$folder/files"
# Its workers run as another user if this is root.
chmod 755 "$folder"

cat >"$folder/nginx.conf" <<CONF
daemon off;
worker_processes 1;
pid $folder/nginx.pid;
error_log stderr;
events { worker_connections 1024; }
http {
    access_log $folder/access.log;
    client_body_temp_path $folder/client_body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    keepalive_requests 1000000;
    client_max_body_size 64m;
    default_type application/octet-stream;
    server {
        listen 127.0.0.1:$port;
        listen 127.0.0.1:$tls_port ssl http2;
        ssl_certificate $certificates/server.crt;
        ssl_certificate_key $certificates/server.key;
        location = / { return 200 "\$request_method \$request_uri \$server_protocol"; }
        location /echo {
            # The body is read for the sake of the server behind, which says it back.
            client_body_in_single_buffer on;
            client_body_buffer_size 64k;
            proxy_set_header X-Body \$request_body;
            proxy_pass http://unix:$folder/echo:/;
        }
$(for status in 204 400 401 403 404 418 429 500 503; do
    echo "        location = /status/$status { return $status; }"
done)
        location = /connection { return 200 \$connection; }
        location = /headers {
            add_header X-Many one;
            add_header X-Many two;
            return 200;
        }
        location = /redirect { return 302 /; }
        location = /redirect/same { return 307 /; }
        location = /redirect/loop { return 302 /redirect/loop; }
        location /files/ { root $folder; }
        location /slow/ { alias $folder/files/; limit_rate 1k; }
    }
    server {
        listen unix:$folder/echo;
        large_client_header_buffers 4 128k;
        add_header X-Echo \$http_x_echo;
        return 200 \$http_x_body;
    }
}
CONF
# One that was killed has left it.
rm -f "$folder/echo"
program=$(command -v nginx || echo /usr/sbin/nginx)
exec "$program" -p "$folder" -c "$folder/nginx.conf"
