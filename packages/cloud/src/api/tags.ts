import { Fault, invalidInput } from './fault.ts';
import type { Answer } from './operation.ts';
import { quoted } from './parse.ts';
import type { Body } from './resource.ts';

type Retag = (tags: readonly string[]) => void;

const tagNotFound = (tag: string) => new Fault(404, 'TagNotFound', `Tag ${tag} could not be found.`);

export function tagsAnswer(tags: readonly string[]): Answer {
  return { status: 200, body: { tags: [...tags].sort() } };
}

export function tagAnswer(tags: readonly string[], tag: string): Answer {
  if (!tags.includes(tag)) throw tagNotFound(tag);
  return { status: 204 };
}

export function replaceTags(body: Body, retag: Retag): Answer {
  const tags = checkTags(body);
  retag(tags);
  return { status: 200, body: { tags } };
}

/** The tags of the body, if they may be such. */
export function checkTags(body: Body): readonly string[] {
  if (body.tags === undefined) throw invalidInput('Invalid tags body');
  const { tags } = body;
  if (!Array.isArray(tags)) throw invalidInput(`${quoted(tags)} is not a list`);
  for (const tag of tags) {
    if (typeof tag !== 'string') throw invalidInput(`${quoted(tag)} is not a valid string`);
    checkLength(tag);
  }
  const again = tags.find((tag, at) => tags.indexOf(tag) !== at);
  if (again !== undefined) throw invalidInput(`Duplicate items in the list: '${again}'`);
  return tags;
}

export function addTag(tags: readonly string[], tag: string, retag: Retag): Answer {
  checkLength(tag);
  if (!tags.includes(tag)) retag([...tags, tag]);
  return { status: 201, body: null };
}

/** Without a tag: all of them. */
export function dropTag(tags: readonly string[], tag: string | undefined, retag: Retag): Answer {
  if (tag !== undefined && !tags.includes(tag)) throw tagNotFound(tag);
  retag(tag === undefined ? [] : tags.filter((one) => one !== tag));
  return { status: 204 };
}

function checkLength(tag: string): void {
  if ([...tag].length > 255) throw invalidInput(`'${tag}' exceeds maximum length of 255`);
}
