# Home Assistant's core with its WebSocket and mobile_app, and nothing that shows or stores: `home-assistant.py IP PORT FOLDER`.
# GET /token answers with a long-lived access token of its only user, who is there after a restart, too.
import asyncio
import sys
from datetime import timedelta

from aiohttp import web
from homeassistant import bootstrap, config_entries, core, loader
from homeassistant.auth.models import TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN

ip, port, folder = sys.argv[1:]


async def main():
    hass = core.HomeAssistant(folder)
    hass.config.skip_pip = True
    loader.async_setup(hass)
    bootstrap.DEFAULT_INTEGRATIONS = set()
    settings = {"homeassistant": {}, "http": {"server_host": [ip], "server_port": int(port)}, "api": {}, "mobile_app": {}}
    hass.config_entries = config_entries.ConfigEntries(hass, settings)
    if await bootstrap.async_from_config_dict(settings, hass) is None:
        sys.exit("cannot be set up")
    users = [user for user in await hass.auth.async_get_users() if not user.system_generated]
    if users:
        token = next(iter(users[0].refresh_tokens.values()))
    else:
        user = await hass.auth.async_create_user("Ann", group_ids=["system-admin"])
        token = await hass.auth.async_create_refresh_token(
            user, client_name="Tidings", token_type=TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN,
            access_token_expiration=timedelta(days=1),
        )
        # Which would be written after a moment.
        await hass.auth._store._store.async_save(hass.auth._store._data_to_save())
    text = hass.auth.async_create_access_token(token)

    async def tell(_):
        return web.Response(text=text)

    hass.http.app.router.add_get("/token", tell)
    sys.exit(await hass.async_run())


asyncio.run(main())
