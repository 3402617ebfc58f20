//! What stands before the gateways: nginx, as it would before those of a production.

use std::net::Ipv4Addr;

use super::layout::Layout;

/// From where nginx speaks to the gateways, so that they can trust it and nobody else on this machine.
pub const PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// The `http` block.
///
/// - A gateway that cannot be reached is passed over; one that has just started makes its requests wait. What was sent and
///   not answered is sent again where that changes nothing more: reads, PUT and DELETE, which nginx takes for idempotent
///   (whose second answer may be that it is done already), and POST and PATCH with an `Idempotency-Key` and a token, whose
///   repetition gets the first answer. Other POST and PATCH go on to the next gateway only while nothing of them was sent;
///   so do logins, at which no token counts.
/// - An answer is an answer, 503 as well: how much is asked again of a service that has too much to do is the gateways'
///   matter, and limited there.
/// - No gateway is marked as down: on loopback a dead one refuses at once, and two that are marked would leave nobody.
/// - Idle connections end here before the gateways end them (after `header_timeout_ms`, 10 s), else a change could be
///   sent into one that closes.
/// - Answers flow through as they come, for streams of events and large files; limits on size and time are the gateways'.
pub fn config(layout: &Layout) -> String {
    let gateways: String = layout
        .serving(super::layout::GATEWAY)
        .map(|member| format!("    server 127.0.0.1:{} max_fails=0;\n", member.port))
        .collect();
    let front = layout.front;
    format!(
        r#"  access_log off;
  server_tokens off;
  # No key, or nobody's.
  map "$http_idempotency_key:$http_authorization$http_x_api_key" $is_repeatable {{
    "~^:" "";
    "~:$" "";
    default 1;
  }}
  upstream gateways {{
    least_conn;
{gateways}    keepalive 64;
    keepalive_timeout 5s;
  }}
  server {{
    listen 127.0.0.1:{front};
    client_max_body_size 0;
    client_header_timeout 10s;
    keepalive_timeout 65s;
    merge_slashes off;
    large_client_header_buffers 4 64k;

    proxy_http_version 1.1;
    proxy_bind {PROXY};
    proxy_buffering off;
    proxy_connect_timeout 2s;
    proxy_read_timeout 75s;
    proxy_next_upstream_tries 2;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    # What clients say of where they come from is replaced.
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;

    error_page 418 = @repeatable;
    location / {{
      if ($is_repeatable) {{ return 418; }}
      proxy_next_upstream error timeout;
      proxy_pass http://gateways;
    }}
    location /api/v1/auth/ {{
      proxy_next_upstream error timeout;
      proxy_pass http://gateways;
    }}
    location @repeatable {{
      proxy_next_upstream error timeout non_idempotent;
      proxy_pass http://gateways;
    }}
  }}
"#
    )
}
