import { Fault } from '../api/fault.ts';

/** What scheduling says no with, by the names and words of Neutron's exceptions. */

export const agentNotFound = (id: string) => new Fault(404, 'AgentNotFound', `Agent ${id} could not be found.`);

export const agentNotFoundByTypeHost = (type: string, host: string) =>
  new Fault(404, 'AgentNotFoundByTypeHost', `Agent with agent_type=${type} and host=${host} could not be found.`);

export const invalidL3Agent = (id: string) =>
  new Fault(404, 'InvalidL3Agent', `Agent ${id} is not a L3 Agent or has been disabled`);
export const routerHosted = (routerId: string, agentId: string) =>
  new Fault(409, 'RouterHostedByL3Agent', `The router ${routerId} has been already hosted by the L3 Agent ${agentId}.`);
export const notToDvrAgent = () =>
  new Fault(409, 'DVRL3CannotAssignToDvrAgent', "Not allowed to manually assign a router to an agent in 'dvr' mode.");

export const invalidDhcpAgent = (id: string) =>
  new Fault(404, 'InvalidDHCPAgent', `Agent ${id} is not a valid DHCP Agent or has been disabled.`);
export const networkHosted = (networkId: string, agentId: string) =>
  new Fault(
    409,
    'NetworkHostedByDHCPAgent',
    `The network ${networkId} has been already hosted by the DHCP Agent ${agentId}.`,
  );
export const networkNotHosted = (networkId: string, agentId: string) =>
  new Fault(409, 'NetworkNotHostedByDhcpAgent', `The network ${networkId} is not hosted by the DHCP Agent ${agentId}.`);
