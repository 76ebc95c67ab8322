import { describe, expect, it } from 'vitest';
import { parseReply } from './control.ts';

describe('a reply of BIRD', () => {
  const greeting = '0001 BIRD 2.0.12 ready.\n';

  it('is complete with its last line', () => {
    expect(parseReply('')).toBeUndefined();
    expect(parseReply(greeting)).toBeUndefined();
    expect(parseReply(`${greeting}2002-Name Proto\n1002-a BGP\n`)).toBeUndefined();
    expect(parseReply(`${greeting}0003 Reconfigured\n`)).toEqual({ code: 3, lines: ['Reconfigured'] });
  });

  it('loses the codes of its lines, also those that are left out', () => {
    const text = `${greeting}2002-Name       Proto\n1002-a          BGP\n1006-  Channel ipv4\n     State: UP\n \n0000 \n`;
    expect(parseReply(text)).toEqual({
      code: 0,
      lines: ['Name       Proto', 'a          BGP', '  Channel ipv4', '    State: UP', '', ''],
    });
  });

  it('may be a refusal', () => {
    expect(parseReply(`${greeting}0002-Reading configuration from x\n8002 x:1:1 syntax error\n`)?.code).toBe(8002);
  });
});
