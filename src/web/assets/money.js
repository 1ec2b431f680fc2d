// What lives here: amounts of money, digit by digit. No floating point stands between a person and a price.

// Decimals by ISO 4217, for the currencies that do not have two. What a browser knows is how much of a price is usually shown.
const DECIMALS = new Map([
  ...['BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'].map((code) => [code, 0]),
  ...['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'].map((code) => [code, 3]),
]);

const AMOUNT = 1e14; // minor units; every whole number up to here is exact

/** How many decimals a currency has: 2 for USD, 0 for JPY, 3 for KWD. */
export const decimalsOf = (currency) => DECIMALS.get(currency) ?? 2;

function currencyFormat(currency) {
  const digits = decimalsOf(currency);
  try {
    return new Intl.NumberFormat(undefined, { style: 'currency', currency, minimumFractionDigits: digits, maximumFractionDigits: digits });
  } catch {
    return null; // not a currency code
  }
}

/** Minor units as a person of this place writes a price. */
export function money(minor, currency) {
  const text = moneyText(minor, currency);
  return currencyFormat(currency)?.format(text) ?? `${text} ${currency}`;
}

/** "75" or "75.50" as minor units; null when it is no amount of this currency, or more than terms can have. */
export function parseMoney(text, currency) {
  const decimals = decimalsOf(currency);
  const match = /^(\d{1,15})(?:[.,](\d+))?$/.exec(text.trim());
  if (!match || (match[2]?.length ?? 0) > decimals) return null;
  const minor = Number(match[1] + (match[2] ?? '').padEnd(decimals, '0'));
  return minor <= AMOUNT ? minor : null;
}

/** Minor units as the text one would type into a field. */
export function moneyText(minor, currency) {
  const decimals = decimalsOf(currency);
  const digits = String(Math.abs(minor)).padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  return `${minor < 0 ? '-' : ''}${whole}${decimals ? `.${digits.slice(-decimals)}` : ''}`;
}

export const priceOf = (terms) => `${money(terms.amount, terms.currency)} ${terms.kind === 'hourly' ? 'per hour' : 'fixed price'}`;
