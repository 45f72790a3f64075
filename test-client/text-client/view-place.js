'use strict';

/** The form that an order is placed with: what, from where, to where. */
class PlaceView {
  static EXAMPLES = {
    'pickup.name': 'Kolmgasse Kitchen', 'pickup.address': 'Stephansplatz 4, Vienna', 'pickup.lat': '48.2085', 'pickup.lng': '16.3731',
    'dropoff.address': 'Praterstraße 40, Vienna', 'dropoff.lat': '48.2156', 'dropoff.lng': '16.3868',
  };

  #orders;
  #map = null;
  #config;
  /** A repeated wish is the same order, as long as it says the same. */
  #key = { of: null, value: null };

  constructor({ orders, config }) {
    this.#orders = orders;
    this.#config = config;
    prepareDialog('place-order', 'new-order');
    byId('new-order').addEventListener('click', () => this.#restart());
    byId('add-item').addEventListener('click', () => this.#addItem());
    byId('use-examples').addEventListener('click', () => this.#fill(PlaceView.EXAMPLES));
    byId('place-form').addEventListener('input', () => this.#showPlaces());
    onSubmit('place-form', (form) => this.#place(form));
  }

  #restart() {
    byId('place-items').replaceChildren();
    this.#addItem();
    this.#map ??= this.#makeMap();
    this.#map.tileUrl = this.#config.tileUrl;
    this.#showPlaces();
    byId('place-items').querySelector('input').focus();
  }

  #makeMap() {
    const map = new OrderMap(byId('place-map'), 'Map to choose places on');
    map.picked.listen(({ lat, lng }) => {
      const place = byId('place-form').elements.picks.value;
      this.#fill({ [`${place}.lat`]: lat.toFixed(5), [`${place}.lng`]: lng.toFixed(5) });
      if (place === 'pickup') byId('place-form').elements.picks.value = 'dropoff';
    });
    return map;
  }

  #fill(values) {
    const { elements } = byId('place-form');
    for (const [name, value] of Object.entries(values)) elements[name].value = value;
    this.#showPlaces();
  }

  /** Fields are called as the server calls them when it refuses one. */
  #addItem() {
    const at = byId('place-items').children.length;
    const input = (name, title, attrs) => make('label', { className: `field item__${name}` },
      make('span', { className: 'field__label', text: title }), make('input', { attrs: { name: `items[${at}].${name}`, autocomplete: 'off', ...attrs }, data: { testid: `item-${name}` } }));
    byId('place-items').append(make('li', { className: 'item' },
      input('name', 'Item', { required: '' }),
      input('quantity', 'Quantity', { type: 'number', min: '1', value: '1', inputmode: 'numeric' }),
      input('price', 'Price each', { type: 'number', min: '0', step: '0.01', inputmode: 'decimal' })));
  }

  #showPlaces() {
    const { elements } = byId('place-form');
    const place = (kind, label) => ({ kind, label, ...this.#point(kind, (name) => elements[name].value) });
    const pins = [place('pickup', 'Pickup'), place('dropoff', 'Drop-off')];
    this.#map?.show({ pins, way: pins });
  }

  #point(kind, valueOf) {
    const number = (name) => (valueOf(`${kind}.${name}`) === '' ? undefined : Number(valueOf(`${kind}.${name}`)));
    return { lat: number('lat'), lng: number('lng') };
  }

  async #place(form) {
    const wish = this.#wish(form);
    const says = JSON.stringify(wish);
    if (this.#key.of !== says) this.#key = { of: says, value: randomId() };
    const order = await this.#orders.act('placeOrder', { ...wish, clientOrderId: this.#key.value });
    this.#key = { of: null, value: null };
    byId('place-order').close();
    this.#orders.show(order.id);
  }

  #wish(form) {
    const items = [...byId('place-items').children].map((_, at) => {
      const of = (name) => form[`items[${at}].${name}`];
      return { name: of('name'), quantity: of('quantity') === '' ? undefined : Number(of('quantity')), price: of('price') === '' ? undefined : Number(of('price')) };
    });
    const place = (kind) => {
      const { lat, lng } = this.#point(kind, (name) => form[name]);
      const [name, address] = [form[`${kind}.name`] || undefined, form[`${kind}.address`]];
      const isEmpty = !name && !address && lat === undefined && lng === undefined;
      return isEmpty ? undefined : { name, address, lat, lng };
    };
    return { items, pickup: place('pickup'), dropoff: place('dropoff'), note: form.note || undefined };
  }
}
