import type { StandardRow } from '../store/rows.ts';
import { createBodies, forbidAdminOnly, prepareCreate, prepareUpdate } from './body.ts';
import { Fault, notAuthorized } from './fault.ts';
import { listPage, pick } from './list.ts';
import type { Answer } from './operation.ts';
import type { Requests } from './requests.ts';
import type { Body, Caller, Context, Resource } from './resource.ts';
import { addTag, checkTags, dropTag, replaceTags, tagAnswer, tagsAnswer } from './tags.ts';
import { find, isOwn, isVisible, notFound, shown } from './visibility.ts';

/** A request to a collection, as far as HTTP matters. */
export interface Incoming {
  readonly caller: Caller;
  readonly method: string;
  readonly url: URL;
  readonly body: Body;
  readonly ifMatch: string | undefined;
  readonly parentId?: string;
}

const methodNotAllowed = () =>
  new Fault(
    405,
    'HTTPMethodNotAllowed',
    'The server could not comply with the request since it is either malformed or otherwise incorrect.',
  );

export const pathNotFound = () => new Fault(404, 'HTTPNotFound', 'The resource could not be found.');

/** Serves a Resource: `/v2.0/{plural}`, `…/{id}`, `…/{id}/{action}`, `…/{id}/tags`, `…/{id}/tags/{tag}`. */
export class Collection<R extends { readonly id: string }> {
  readonly #resource: Resource<R>;
  readonly #requests: Requests;

  constructor(resource: Resource<R>, requests: Requests) {
    this.#resource = resource;
    this.#requests = requests;
  }

  /** `rest`: the words of the path behind the collection's name. */
  serve(incoming: Incoming, rest: readonly string[]): Answer {
    const [id, word, tag, ...more] = rest;
    if (more.length > 0) throw pathNotFound();
    if (id === undefined) return this.#whole(incoming);
    if (word === undefined) return this.#one(incoming, id);
    if (word === 'tags' && this.#resource.retag !== undefined) return this.#tags(incoming, id, tag);
    const { actions = {} } = this.#resource;
    const action = Object.hasOwn(actions, word) ? actions[word] : undefined;
    if (action === undefined || tag !== undefined) throw pathNotFound();
    if (incoming.method !== 'PUT') throw methodNotAllowed();
    return this.#run(incoming, (context) => {
      const row = this.#mine(context, id, word);
      return { status: 200, body: action(context, row, incoming.body) };
    });
  }

  #whole(incoming: Incoming): Answer {
    switch (incoming.method) {
      case 'GET':
        return this.#list(incoming);
      case 'POST':
        return this.#create(incoming);
      default:
        // Neutron takes it for a request that names no id.
        throw incoming.method === 'PATCH' ? methodNotAllowed() : notFound(this.#resource, 'None');
    }
  }

  #one(incoming: Incoming, id: string): Answer {
    switch (incoming.method) {
      case 'GET':
        return this.#show(incoming, id);
      case 'PUT':
        return this.#update(incoming, id);
      case 'DELETE':
        return this.#remove(incoming, id);
      default:
        throw methodNotAllowed();
    }
  }

  #list(incoming: Incoming): Answer {
    const { plural } = this.#resource;
    return this.#run(incoming, (context) => {
      const { items, links } = listPage(context, this.#resource, incoming.url);
      return { status: 200, body: { [plural]: items, ...(links === undefined ? {} : { [`${plural}_links`]: links }) } };
    });
  }

  #show(incoming: Incoming, id: string): Answer {
    return this.#run(incoming, (context) => {
      const row = find(context, this.#resource, id);
      const fields = incoming.url.searchParams.getAll('fields').filter((field) => field !== '');
      return { status: 200, body: { [this.#resource.singular]: pick(shown(context, this.#resource, row), fields) } };
    });
  }

  #create(incoming: Incoming): Answer {
    const resource = this.#resource;
    const { singular, plural } = resource;
    if (resource.create === undefined) throw methodNotAllowed();
    const announce = () => this.#announce(incoming, 'create', incoming.body);
    if (resource.core !== true) announce();
    const { bulk, given } = createBodies(resource, incoming.body);
    const bodies = given.map((one) => prepareCreate(resource, incoming.caller, one));
    if (resource.core === true) announce();
    for (const [at, body] of bodies.entries())
      forbidAdminOnly(resource, 'create', incoming.caller, body, given[at] ?? {});
    return this.#run(incoming, (context) => {
      const views = bodies.map((body) => {
        const row = resource.create?.(context, body);
        // A later step of the same request may have changed it.
        return row === undefined ? {} : shown(context, resource, resource.get(context, row.id) ?? row);
      });
      const body = bulk ? { [plural]: views } : { [singular]: views[0] };
      this.#tell(context, 'create', body);
      return { status: 201, body };
    });
  }

  #update(incoming: Incoming, id: string): Answer {
    const resource = this.#resource;
    const { singular } = resource;
    if (resource.update === undefined) throw methodNotAllowed();
    const announce = () => this.#announce(incoming, 'update', { ...incoming.body, id });
    if (resource.core !== true) announce();
    const body = prepareUpdate(resource, incoming.body);
    if (resource.core === true) announce();
    return this.#run(incoming, (context) => {
      const row = this.#mine(context, id, `update_${singular}`);
      forbidAdminOnly(resource, 'update', incoming.caller, body, body);
      checkRevision(row, incoming.ifMatch);
      const empty = Object.keys(body).length === 0;
      const changed = empty ? row : (resource.update?.(context, row, body) ?? row);
      const answer = { [singular]: shown(context, resource, resource.get(context, id) ?? changed) };
      this.#tell(context, 'update', answer);
      return { status: 200, body: answer };
    });
  }

  #remove(incoming: Incoming, id: string): Answer {
    const resource = this.#resource;
    const { singular } = resource;
    if (resource.remove === undefined) throw methodNotAllowed();
    this.#announce(incoming, 'delete', { [`${singular}_id`]: id });
    return this.#run(incoming, (context) => {
      const row = this.#mine(context, id, `delete_${singular}`);
      checkRevision(row, incoming.ifMatch);
      // The core tells all of it, whoever deletes it.
      const last = resource.core === true ? resource.view(context, row) : shown(context, resource, row);
      resource.remove?.(context, row);
      this.#tell(context, 'delete', { [singular]: last, [`${singular}_id`]: id });
      return { status: 204 };
    });
  }

  #tags(incoming: Incoming, id: string, tag: string | undefined): Answer {
    const { plural } = this.#resource;
    const about = { parent_resource: plural, parent_resource_id: id };
    const change = changeOf(incoming, tag);
    if (change !== undefined)
      this.#requests.announce(incoming.caller, `tag.${change.verb}.start`, { ...about, ...change.tags });
    return this.#run(incoming, (context) => {
      const row = this.#resource.get(context, id);
      const reads = incoming.method === 'GET';
      if (row === undefined || !(reads ? isVisible(context, this.#resource, row) : isOwn(context, row))) {
        throw new Fault(404, 'TagResourceNotFound', `Resource ${plural} ${id} could not be found.`);
      }
      const tags = (row as Partial<StandardRow>).tags ?? [];
      const retag = (next: readonly string[]) => this.#resource.retag?.(context, row, next);
      if (change !== undefined) context.notify(`tag.${change.verb}.end`, { ...about, ...change.tags });
      switch (incoming.method) {
        case 'GET':
          return tag === undefined ? tagsAnswer(tags) : tagAnswer(tags, tag);
        case 'PUT':
          return tag === undefined ? replaceTags(incoming.body, retag) : addTag(tags, tag, retag);
        case 'DELETE':
          return dropTag(tags, tag, retag);
        default:
          throw methodNotAllowed();
      }
    });
  }

  /** The row, if the caller may change it. */
  #mine(context: Context, id: string, rule: string): R {
    const row = find(context, this.#resource, id);
    if (!isOwn(context, row)) throw notAuthorized(`rule:${rule}`);
    return row;
  }

  #run(incoming: Incoming, work: (context: Context) => Answer): Answer {
    return this.#requests.run(incoming.caller, work, incoming.parentId);
  }

  #announce(incoming: Incoming, verb: string, payload: Readonly<Record<string, unknown>>): void {
    if (this.#resource.silent === true) return;
    this.#requests.announce(incoming.caller, `${this.#resource.singular}.${verb}.start`, payload);
  }

  #tell(context: Context, verb: string, payload: Readonly<Record<string, unknown>>): void {
    if (this.#resource.silent !== true) context.notify(`${this.#resource.singular}.${verb}.end`, payload);
  }
}

/** What a request does to tags, as its notifications say it; undefined: nothing, or nothing that could be done. */
function changeOf({ method, body }: Incoming, tag: string | undefined) {
  if (method === 'PUT' && tag === undefined) {
    checkTags(body);
    return { verb: 'update', tags: { tags: body.tags } };
  }
  if (method === 'PUT') return { verb: 'create', tags: { tags: [tag] } };
  if (method !== 'DELETE') return undefined;
  return tag === undefined ? { verb: 'delete_all', tags: {} } : { verb: 'delete', tags: { tags: [tag] } };
}

/** `If-Match: revision_number=3`: only if nobody has changed it since. Other conditions are none. */
function checkRevision(row: { readonly id: string }, ifMatch: string | undefined): void {
  const wanted = ifMatch === undefined ? undefined : /^revision_number=(.*)$/.exec(ifMatch)?.[1];
  if (wanted === undefined) return;
  if (!/^\d+$/.test(wanted)) {
    const message = 'Bad if-match request: Revision number etag must be in the format of revision_number=<int>.';
    throw new Fault(400, 'BadRequest', message);
  }
  const { revision_number: current } = row as Partial<StandardRow>;
  if (current === undefined || current === Number(wanted)) return;
  const message = `Constrained to ${Number(wanted)}, but current revision is ${current}`;
  throw new Fault(412, 'RevisionNumberConstraintFailed', message);
}
