. "$LAB_CODE/node.sh"
. "$LAB_CODE/agents.sh"
. "$LAB_CODE/astara-config.sh"
scope=leader

configure() { write_astara_conf; }
run() { astara_program astara-orchestrator orchestrator; }
ready() { reported 60 'L3 agent' 'DHCP agent'; }
