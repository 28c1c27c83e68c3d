/**
 * The one parser of every kill switch. An unknown non-empty value is never taken for "off": whoever typed it meant
 * something.
 */
export function parseSwitch(value: string): 'armed' | 'off' | 'unknown' {
  switch (value.trim().toLowerCase()) {
    case '1':
    case 'true':
    case 'yes':
    case 'on':
    case 'disabled':
    case 'disable':
      return 'armed';
    case '':
    case '0':
    case 'false':
    case 'no':
    case 'off':
      return 'off';
    default:
      return 'unknown';
  }
}
