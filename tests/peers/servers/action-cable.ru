# An Action Cable server as a Rails application has it: sign-in by the token, a channel that anybody may subscribe to, and
# one room of it that nobody may. POST /push sends its JSON body to all of them; POST /restart tells all to come again.
require "json"
require "concurrent"
require "active_support/all"
require "action_cable"
require "logger"

class Connection < ActionCable::Connection::Base
  identified_by :user

  def connect
    given = [request.params["token"], request.headers["Authorization"].to_s.delete_prefix("Bearer ")]
    given.include?("s3cret") ? self.user = "ann" : reject_unauthorized_connection
  end
end

class AlertsChannel < ActionCable::Channel::Base
  def subscribed
    params[:room] == "closed" ? reject : stream_from("alerts")
  end
end

settings = ActionCable::Server::Base.config
settings.cable = { "adapter" => "async" }
settings.connection_class = -> { Connection }
settings.logger = Logger.new($stderr)
settings.disable_request_forgery_protection = true

ask = lambda do |env|
  case [env["REQUEST_METHOD"], env["PATH_INFO"]]
  when ["POST", "/push"] then ActionCable.server.broadcast("alerts", JSON.parse(env["rack.input"].read))
  when ["POST", "/restart"] then ActionCable.server.restart
  else next [404, { "content-type" => "text/plain" }, ["not found"]]
  end
  [204, {}, []]
end

run ->(env) { env["PATH_INFO"] == "/cable" ? ActionCable.server.call(env) : ask.call(env) }
