import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import jakarta.servlet.http.HttpSessionEvent;
import jakarta.servlet.http.HttpSessionListener;
import jakarta.websocket.CloseReason;
import jakarta.websocket.HandshakeResponse;
import jakarta.websocket.OnClose;
import jakarta.websocket.OnError;
import jakarta.websocket.OnMessage;
import jakarta.websocket.OnOpen;
import jakarta.websocket.Session;
import jakarta.websocket.server.HandshakeRequest;
import jakarta.websocket.server.ServerEndpoint;
import jakarta.websocket.server.ServerEndpointConfig;
import java.io.File;
import java.io.IOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.catalina.Context;
import org.apache.catalina.Manager;
import org.apache.catalina.authenticator.FormAuthenticator;
import org.apache.catalina.session.StandardManager;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.LoginConfig;
import org.apache.tomcat.util.descriptor.web.SecurityCollection;
import org.apache.tomcat.util.descriptor.web.SecurityConstraint;
import org.apache.tomcat.websocket.server.WsSci;

/**
 * A web app as the recipe's: pages behind a FORM login, and a user channel that hangs on the session. It says
 * {@code ready PORT}, and ends on SIGTERM. Options are {@code key=value}: see {@link #option}.
 *
 * <p>Users: {@code ann} has both roles; {@code bob} may see pages, but not the channel. The password of each is {@code secret}.
 *
 * <p>{@code /sso} signs in at an identity provider instead, which is this server, too, under another name: {@code /idp/…} knows
 * nothing of the app but where to go back to. It asks for a code ({@link #CODE}) after the password.
 *
 * <p>{@code /control/…} is the test's: it needs no session and makes none.
 */
public final class Stage {
    /** What happened, a line each: {@code open USER}, {@code text USER WORDS}, {@code close USER CODE}. */
    static final List<String> EVENTS = new CopyOnWriteArrayList<>();
    /** The links by what the newest takes over: a user's name, or a session. */
    static final Map<String, Session> LINKS = new ConcurrentHashMap<>();
    /** What the identity provider gave out, each good for one sign-in. */
    static final Set<String> TICKETS = ConcurrentHashMap.newKeySet();
    /** The code of everybody's second factor. */
    static final String CODE = "123456";
    static final AtomicInteger MADE = new AtomicInteger();
    static Map<String, String> options;
    static Manager manager;
    static final FormAuthenticator AUTHENTICATOR = new FormAuthenticator();

    /** The channel. The newest link of a user wins; {@code mode=session}: of a session. */
    @ServerEndpoint(value = "/ws/user-channel", configurator = Door.class)
    public static final class Channel {
        private String key;
        private String user;

        @OnOpen
        public void open(Session link) throws IOException {
            user = link.getUserPrincipal().getName();
            key = option("mode", "user").equals("session") ? (String) link.getUserProperties().get("session") : user;
            EVENTS.add("open " + user);
            Session older = LINKS.put(key, link);
            if (older != null && older.isOpen()) {
                older.close(new CloseReason(CloseReason.CloseCodes.getCloseCode(4500), "taken over"));
            }
        }

        @OnMessage
        public void text(String text, Session link) {
            EVENTS.add("text " + user + " " + text);
        }

        @OnClose
        public void close(Session link, CloseReason reason) {
            LINKS.remove(key, link);
            EVENTS.add("close " + user + " " + reason.getCloseCode().getCode());
        }

        @OnError
        public void error(Throwable error) { }
    }

    /** What is said at the handshake: another id for the session where {@code rotate} is on, and no foreign page where {@code origin} is. */
    public static final class Door extends ServerEndpointConfig.Configurator {
        @Override
        public void modifyHandshake(ServerEndpointConfig config, HandshakeRequest request, HandshakeResponse response) {
            HttpSession session = (HttpSession) request.getHttpSession();
            config.getUserProperties().put("session", session == null ? "" : session.getId());
        }

        @Override
        public boolean checkOrigin(String origin) {
            // Tomcat asks with null where there was none.
            return option("origin", null) == null || option("origin", null).equals(origin);
        }
    }

    /** Everything that is a page. */
    static final class Pages extends HttpServlet {
        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
            String path = request.getServletPath();
            switch (path) {
                case "/", "" -> response.sendRedirect("/app/page");
                case "/login.html" -> form(response, "", "j_security_check", "j_username", "j_password");
                case "/wrong.html" -> form(response, "<p>Wrong name or password.</p>", "j_security_check", "j_username", "j_password");
                case "/static.txt" -> { response.setContentType("text/plain"); response.getWriter().print("static"); }
                case "/open" -> html(response, "Signed out", SOCKET);
                case "/app/socket" -> html(response, "Hello " + request.getRemoteUser(), SOCKET);
                case "/app/second" -> {
                    boolean right = CODE.equals(request.getParameter("code"));
                    if (right) request.getSession().setAttribute("second", true);
                    if (right) response.sendRedirect("/app/page");
                    else second(response, "/app/second", "code");
                }
                case "/sso" -> {
                    String state = java.util.UUID.randomUUID().toString();
                    request.getSession().setAttribute("state", state);
                    String back = option("site", "") + "/sso/back?state=" + state;
                    response.sendRedirect(option("idp", "") + "/idp/page?back="
                        + java.net.URLEncoder.encode(back, java.nio.charset.StandardCharsets.UTF_8));
                }
                case "/sso/back" -> {
                    boolean ours = request.getParameter("state").equals(request.getSession().getAttribute("state"));
                    if (!ours || !TICKETS.remove(request.getParameter("ticket"))) { response.sendError(400); return; }
                    try { request.login("ann", "secret"); } catch (jakarta.servlet.ServletException error) { throw new IOException(error); }
                    response.sendRedirect("/app/page");
                }
                case "/idp/page" -> {
                    request.getSession().setAttribute("back", request.getParameter("back"));
                    form(response, "", "/idp/password", "name", "password");
                }
                case "/idp/password" -> {
                    if ("secret".equals(request.getParameter("password"))) second(response, "/idp/code", "otp");
                    else form(response, "<p>Wrong.</p>", "/idp/password", "name", "password");
                }
                case "/idp/code" -> {
                    if (!CODE.equals(request.getParameter("otp"))) { second(response, "/idp/code", "otp"); return; }
                    String ticket = java.util.UUID.randomUUID().toString();
                    TICKETS.add(ticket);
                    response.setStatus(303);
                    response.setHeader("Location", request.getSession().getAttribute("back") + "&ticket=" + ticket);
                }
                case "/app/logout" -> { request.getSession().invalidate(); html(response, "Signed out", ""); }
                case "/app/sign-out" -> {
                    try { request.logout(); } catch (jakarta.servlet.ServletException error) { throw new IOException(error); }
                    html(response, "Signed out", "");
                }
                default -> {
                    if (path.startsWith("/app/")) html(response, "Hello " + request.getRemoteUser(), "");
                    else response.sendError(404);
                }
            }
        }

        /** The recipe's page, which keeps a link of its own. */
        private static final String SOCKET = "<p id=link>-</p><script>"
            + "const told = (word) => { document.getElementById('link').textContent = word; };"
            + "try { const socket = new WebSocket(location.origin.replace('http', 'ws') + '/ws/user-channel');"
            + "socket.onopen = () => told('open'); socket.onclose = (event) => told('closed ' + event.code);"
            + "} catch (error) { told('none'); }</script>";

        private static void form(HttpServletResponse response, String words, String action, String name, String password)
                throws IOException {
            html(response, "Sign in", words + "<form method=post action=" + action + ">"
                + "<p><label>Name <input name=" + name + " autofocus></label></p>"
                + "<p><label>Password <input type=password name=" + password + "></label></p>"
                + "<p><button>Sign in</button></p></form>");
        }

        /** The second factor. */
        private static void second(HttpServletResponse response, String action, String name) throws IOException {
            EVENTS.add("asked for a code");
            html(response, "Your code", "<form method=post action=" + action + ">"
                + "<p><label>Code <input name=" + name + " autofocus></label></p><p><button>Go on</button></p></form>");
        }

        private static void html(HttpServletResponse response, String title, String body) throws IOException {
            response.setContentType("text/html;charset=UTF-8");
            response.getWriter().print("<!doctype html><title>" + title + "</title><h1>" + title + "</h1>" + body);
        }
    }

    /** The test's side. */
    static final class Control extends HttpServlet {
        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
            response.setContentType("text/plain;charset=UTF-8");
            switch (request.getPathInfo()) {
                // Text to every link whose key begins so, as it stands in the request's body.
                case "/push" -> {
                    String text = new String(request.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
                    int told = 0;
                    for (Session link : links(request.getParameter("user"))) {
                        link.getBasicRemote().sendText(text);
                        told++;
                    }
                    response.getWriter().print(told);
                }
                case "/close" -> {
                    int code = Integer.parseInt(request.getParameter("code"));
                    for (Session link : links(request.getParameter("user"))) {
                        link.close(new CloseReason(CloseReason.CloseCodes.getCloseCode(code), "as asked"));
                    }
                }
                // Sessions that live, and how many were ever made.
                case "/sessions" -> response.getWriter().print(manager.getActiveSessions() + " " + MADE.get());
                case "/ids" -> response.getWriter().print(Arrays.stream(manager.findSessions())
                    .map(org.apache.catalina.Session::getId).collect(java.util.stream.Collectors.joining("\n")));
                // Every session ends: what its timeout does, at once.
                case "/end" -> Arrays.stream(manager.findSessions()).forEach(org.apache.catalina.Session::expire);
                case "/events" -> response.getWriter().print(String.join("\n", EVENTS));
                case "/option" -> {
                    request.getParameterMap().forEach((key, values) -> options.put(key, values[0]));
                    AUTHENTICATOR.setAuthenticationSessionTimeout(Integer.parseInt(option("login", "120")));
                }
                default -> response.sendError(404);
            }
        }

        private static List<Session> links(String user) {
            return LINKS.values().stream().filter(link -> link.getUserPrincipal().getName().equals(user)).toList();
        }
    }

    /**
     * {@code port} (0: any), {@code base} (a folder of its own), {@code mode} (user, session), {@code life} (seconds without a request),
     * {@code login} (seconds for the login page), {@code rotate} (a new id with each 101), {@code origin} (the only one let in),
     * {@code keep} (the file that sessions outlive a restart in), {@code node} (its route), {@code idp} (the identity provider's
     * address), {@code site} (the app's own, before which stands a proxy), {@code second} (a code is asked for after the form login).
     */
    static String option(String key, String otherwise) {
        return options.getOrDefault(key, otherwise);
    }

    public static void main(String[] words) throws Exception {
        options = new ConcurrentHashMap<>();
        for (String word : words) {
            String[] parts = word.split("=", 2);
            options.put(parts[0], parts[1]);
        }
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(option("base", "."));
        tomcat.setPort(Integer.parseInt(option("port", "0")));
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        // Looks for ends of sessions each second rather than each minute.
        tomcat.getEngine().setBackgroundProcessorDelay(1);
        if (options.containsKey("node")) tomcat.getEngine().setJvmRoute(option("node", null));
        Context app = tomcat.addContext("", new File(option("base", ".")).getAbsolutePath());

        StandardManager sessions = new StandardManager();
        sessions.setProcessExpiresFrequency(1);
        sessions.setPathname(option("keep", null));
        sessions.setPersistAuthentication(options.containsKey("keep"));
        app.setManager(sessions);
        manager = sessions;

        AUTHENTICATOR.setAuthenticationSessionTimeout(Integer.parseInt(option("login", "120")));
        app.getPipeline().addValve(AUTHENTICATOR);
        app.setLoginConfig(new LoginConfig("FORM", null, "/login.html", "/wrong.html"));
        protect(app, "/app/*", "user");
        protect(app, "/ws/*", "channel");
        for (String user : new String[] {"ann", "bob"}) {
            tomcat.addUser(user, "secret");
            tomcat.addRole(user, "user");
        }
        tomcat.addRole("ann", "channel");

        // Debian's jars lack the annotations of jakarta.annotation: so all is added as objects, whose classes nobody reads.
        app.setIgnoreAnnotations(true);
        app.addServletContainerInitializer((classes, servlets) -> {
            servlets.addListener(new Count());
            servlets.addServlet("pages", new Pages()).addMapping("/");
            servlets.addServlet("control", new Control()).addMapping("/control/*");
            Filter rotation = (request, response, chain) -> {
                HttpServletRequest http = (HttpServletRequest) request;
                boolean upgrade = "websocket".equalsIgnoreCase(http.getHeader("Upgrade"));
                if (upgrade && option("rotate", null) != null) http.changeSessionId();
                chain.doFilter(request, response);
            };
            var where = EnumSet.of(DispatcherType.REQUEST);
            servlets.addFilter("rotation", rotation).addMappingForUrlPatterns(where, false, "/ws/*");
            Filter second = (request, response, chain) -> {
                HttpServletRequest http = (HttpServletRequest) request;
                boolean done = option("second", null) == null || http.getSession().getAttribute("second") != null;
                if (done || http.getServletPath().equals("/app/second")) chain.doFilter(request, response);
                else ((HttpServletResponse) response).sendRedirect("/app/second");
            };
            servlets.addFilter("second", second).addMappingForUrlPatterns(where, false, "/ws/*", "/app/*");
        }, null);
        app.addServletContainerInitializer(new WsSci(), Set.of(Channel.class));
        tomcat.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try { tomcat.stop(); } catch (Exception error) { error.printStackTrace(); }
        }));
        System.out.println("ready " + tomcat.getConnector().getLocalPort());
        tomcat.getServer().await();
    }

    private static void protect(Context app, String pattern, String role) {
        SecurityCollection pages = new SecurityCollection();
        pages.addPattern(pattern);
        SecurityConstraint constraint = new SecurityConstraint();
        constraint.addCollection(pages);
        constraint.addAuthRole(role);
        app.addConstraint(constraint);
        app.addSecurityRole(role);
    }

    /** Counts sessions, and gives each its life. */
    public static final class Count implements HttpSessionListener {
        @Override
        public void sessionCreated(HttpSessionEvent event) {
            MADE.incrementAndGet();
            String life = option("life", null);
            if (life != null) event.getSession().setMaxInactiveInterval(Integer.parseInt(life));
        }
    }
}
