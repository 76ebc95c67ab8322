"""Forgets the agents of this host that the present profile does not have. Arguments: clouds.yaml, host, agent types to keep..."""
import os
import sys

os.environ['no_proxy'] = '*'
clouds, host, *kept = sys.argv[1:]
os.environ['OS_CLIENT_CONFIG_FILE'] = clouds
import openstack  # noqa: E402  (reads the environment when imported)

neutron = openstack.connect(cloud='lab').network
for agent in neutron.agents(host=host):
    if agent.agent_type not in kept:
        neutron.delete_agent(agent)
