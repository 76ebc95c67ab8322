. "$LAB_CODE/node.sh"
port=$NOVA_METADATA_PORT

run() { spawn nova-metadata root env METADATA_SECRET="$PASSWORD" "$(node_24)" "$LAB_CODE/nova-metadata.ts" "$IP" "$port"; }
ready() { wait_for 20 'the metadata stand-in' answers "$port" /healthcheck; }
