'use strict';

/** What the person may do with the open order: bring it a step further, cancel it, give it to a driver, talk about it. */
class ActionsView {
  /** The order's room is asked for. */
  roomAsked = new Signal();
  #orders;
  #drive;

  constructor({ orders, drive }) {
    this.#orders = orders;
    this.#drive = drive;
    byId('order-next').addEventListener('click', () => this.#advance());
    byId('order-chat').addEventListener('click', () => this.roomAsked.fire(orders.open));
    byId('drive-start').addEventListener('click', () => this.#driveAlong());
    byId('drive-stop').addEventListener('click', () => drive.stop());
    drive.changed.listen(() => { if (orders.open) this.render(orders.open); });
    onSubmit('cancel-form', ({ reason }) => orders.act('cancelOrder', { orderId: orders.openId, reason: reason || undefined }));
    onSubmit('assign-form', ({ driverId }) => orders.assign(orders.openId, driverId));
    actOnSecondClick(byId('order-unassign'), 'Really take it away?', () => this.#attempt(orders.unassign(orders.openId)));
    orders.opened.listen(() => this.#restart());
  }

  render(order) {
    const { role, me } = this.#orders;
    const [isAdmin, isDriver] = [role === 'admin', order.driverId === me._id];
    const next = isAdmin || isDriver ? NEXT_STEPS[order.status] : undefined;
    byId('order-next').hidden = !next;
    if (next) setText(byId('order-next'), isAdmin ? `Set to: ${STATUS_WORDS[next.status]}` : next.words);
    byId('order-chat').hidden = !order.roomId || isAdmin;
    byId('order-cancel').hidden = hasEnded(order) || role === 'driver';
    byId('order-assign').hidden = !isAdmin || order.status !== 'pending';
    byId('order-unassign').hidden = !isAdmin || !isUnderWay(order);
    this.#renderDrive(order, isDriver);
  }

  #renderDrive(order, isDriver) {
    byId('drive').hidden = !isDriver || !isUnderWay(order);
    const to = this.#aim(order);
    const { isUnderWay: drives } = this.#drive;
    byId('drive').dataset.drives = String(drives);
    byId('drive-start').hidden = drives;
    byId('drive-stop').hidden = !drives;
    byId('drive-start').disabled = !isPlaced(to);
    setText(byId('drive-start'), order.status === 'preparing' ? 'Drive to the pickup' : 'Drive to the drop-off');
    setText(byId('drive-words'), isPlaced(to) ? 'Sends positions as a phone on its way would.' : 'This place is not on the map: say your position by hand.');
  }

  #aim({ status, pickup, dropoff }) {
    return status === 'preparing' ? pickup : dropoff;
  }

  #driveAlong() {
    const { open } = this.#orders;
    const to = this.#aim(open);
    const near = { lat: to.lat - 0.006, lng: to.lng - 0.008 };
    const from = this.#drive.place ?? (open.status === 'outForDelivery' && isPlaced(open.pickup) ? open.pickup : near);
    this.#drive.start(from, to, Number(byId('drive-pace').value));
  }

  async #advance() {
    const { id, status } = this.#orders.open;
    byId('order-next').disabled = true;
    await this.#attempt(this.#orders.act('updateOrderStatus', { orderId: id, status: NEXT_STEPS[status].status }));
    byId('order-next').disabled = false;
  }

  #restart() {
    for (const id of ['cancel-form', 'assign-form']) {
      byId(id).reset();
      clearErrors(byId(id));
    }
    byId('order-cancel').open = false;
  }

  #attempt(request) {
    return request.catch((problem) => this.#orders.failed.fire(problem));
  }
}
