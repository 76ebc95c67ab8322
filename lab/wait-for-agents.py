"""Waits until a program has reported to Neutron as agent(s) of this host since it started.
Arguments: clouds.yaml, host, seconds to wait, the program's pid file, agent types..."""
import datetime
import os
import sys
import time

os.environ['no_proxy'] = '*'
clouds, host, patience, pid_file = sys.argv[1:5]
os.environ['OS_CLIENT_CONFIG_FILE'] = clouds
import openstack  # noqa: E402  (reads the environment when imported)

wanted = set(sys.argv[5:])
deadline = time.time() + float(patience)
since = int(os.stat(pid_file).st_mtime)
process = '/proc/' + open(pid_file).read().strip()


def reported(agent):
    text = str(agent.last_heartbeat_at).split('.')[0]
    moment = datetime.datetime.strptime(text, '%Y-%m-%d %H:%M:%S').replace(tzinfo=datetime.timezone.utc)
    return agent.is_alive and moment.timestamp() >= since


cloud = openstack.connect(cloud='lab')


def missing():
    try:
        return wanted - {agent.agent_type for agent in cloud.network.agents(host=host) if reported(agent)}
    except Exception as error:  # Neutron or Keystone may be starting as well
        return wanted | {str(error)}


while left := missing():
    if not os.path.exists(process):
        sys.exit('the program has ended')
    if time.time() > deadline:
        sys.exit('no report from: ' + ', '.join(sorted(left)))
    time.sleep(0.2)
