"""A peer that speaks real oslo.messaging: one JSON command per line on stdin, one JSON answer per line on stdout."""
import json
import logging
import sys
import threading

import oslo_messaging
from oslo_config import cfg
from oslo_messaging.rpc import dispatcher

logging.basicConfig(stream=sys.stderr, level=logging.CRITICAL)
url, exchange, overrides = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
conf = cfg.CONF
conf([])
oslo_messaging.set_transport_defaults(exchange)
transport = oslo_messaging.get_rpc_transport(conf, url=url)
notifications = oslo_messaging.get_notification_transport(conf, url=url)
conf.set_override('driver', ['messagingv2'], group='oslo_messaging_notifications')
for name, value in overrides.items():
    conf.set_override(name, value, group='oslo_messaging_rabbit')
lock = threading.Lock()
notes = []
heard = []


class PeerFailure(Exception):
    pass


class Endpoint:
    target = oslo_messaging.Target(version='1.5')

    def echo(self, ctxt, **kwargs):
        return {'args': kwargs, 'context': ctxt}

    def fail(self, ctxt, message):
        raise PeerFailure(message)

    def note(self, ctxt, **kwargs):
        notes.append(kwargs)

    def get_notes(self, ctxt):
        return notes


class Listener:
    def info(self, ctxt, publisher_id, event_type, payload, metadata):
        heard.append({
            'context': ctxt, 'publisher_id': publisher_id, 'event_type': event_type,
            'payload': payload, 'metadata': metadata})


def client(command):
    target = oslo_messaging.Target(
        topic=command['topic'], version=command.get('version', '1.0'),
        server=command.get('server'), fanout=command.get('fanout'))
    return oslo_messaging.get_rpc_client(transport, target, timeout=command.get('timeout', 10))


def run(command):
    kind = command['do']
    context = {'is_admin': True, 'request_id': 'req-from-oslo', 'auth_token': 'a-live-token'}
    if kind == 'serve':
        target = oslo_messaging.Target(topic=command['topic'], server=command['host'])
        oslo_messaging.get_rpc_server(
            transport, target, [Endpoint()], executor='threading',
            access_policy=dispatcher.DefaultRPCAccessPolicy).start()
        return None
    if kind == 'call':
        return client(command).call(context, command['method'], **command['args'])
    if kind == 'cast':
        return client(command).cast(context, command['method'], **command['args'])
    if kind == 'notify':
        notifier = oslo_messaging.Notifier(
            notifications, publisher_id='network.oslo', driver='messagingv2', topics=[command['topic']])
        for number in range(command['count']):
            notifier.info(context, 'router.update.end', {'router': {'number': number}})
        return None
    if kind == 'listen':
        oslo_messaging.get_notification_listener(
            notifications, [oslo_messaging.Target(topic=command['topic'], exchange=exchange)], [Listener()],
            executor='threading').start()
        return None
    if kind == 'heard':
        return heard
    raise ValueError(kind)


def answer(command):
    try:
        result = {'result': run(command)}
    except oslo_messaging.RemoteError as error:
        result = {'error': 'RemoteError', 'remote': error.exc_type, 'message': error.value}
    except Exception as error:
        result = {'error': type(error).__name__, 'message': str(error)}
    with lock:
        print(json.dumps({'id': command['id'], **result}), flush=True)


for line in sys.stdin:
    threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()
